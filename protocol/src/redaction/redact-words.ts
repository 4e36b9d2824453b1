/** Join tokens and API keys, as they are copied. */
const secretWord = /\b(shoal1?_)[\w-]{8,}/g;

/** A text without the tokens and keys in it: somebody may have given one where an id was meant, and is told so in a line that others read. */
export function redactWords(text: string): string {
  return text.replaceAll(secretWord, '$1***');
}
