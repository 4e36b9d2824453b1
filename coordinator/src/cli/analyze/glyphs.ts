/**
 * A 5 x 7 dot font, so that labels are drawn on machines without any font. Five columns of a glyph in hex, lowest bit on top.
 * Upper-case letters are drawn as lower-case ones.
 */
const columns: Readonly<Record<string, string>> = {
  '0': '3e5149453e',
  '1': '00427f4000',
  '2': '4261514946',
  '3': '2141454b31',
  '4': '1814127f10',
  '5': '2745454539',
  '6': '3c4a494930',
  '7': '0171090503',
  '8': '3649494936',
  '9': '064949291e',
  a: '2054545478',
  b: '7f48444438',
  c: '3844444420',
  d: '384444487f',
  e: '3854545418',
  f: '087e090102',
  g: '0c5252523e',
  h: '7f08040478',
  i: '00447d4000',
  j: '2040443d00',
  k: '7f10284400',
  l: '00417f4000',
  m: '7c04180478',
  n: '7c08040478',
  o: '3844444438',
  p: '7c14141408',
  q: '081414187c',
  r: '7c08040408',
  s: '4854545420',
  t: '043f444020',
  u: '3c4040207c',
  v: '1c2040201c',
  w: '3c4030403c',
  x: '4428102844',
  y: '0c5050503c',
  z: '4464544c44',
  '.': '0060600000',
  '-': '0808080808',
  '%': '2313086462',
  ' ': '0000000000',
};

const unknown = '7f4141417f';
export const glyphWidth = 6;
export const glyphHeight = 7;

/** The dots of a text as one SVG path of unit squares: one glyph is 6 wide, the gap included, and 7 high. */
export function textPath(text: string): string {
  const squares: string[] = [];
  [...text.toLowerCase()].forEach((character, index) => {
    const glyph = columns[character] ?? unknown;
    for (let column = 0; column < 5; column++) {
      const bits = Number.parseInt(glyph.slice(column * 2, column * 2 + 2), 16);
      for (let row = 0; row < glyphHeight; row++) {
        if ((bits >> row) & 1) squares.push(`M${index * glyphWidth + column} ${row}h1v1h-1z`);
      }
    }
  });
  return squares.join('');
}
