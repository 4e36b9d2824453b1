import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';

const script = fileURLToPath(new URL('rtsp-server.py', import.meta.url));
// Debian's own: another Python does not know Debian's packages.
const python = '/usr/bin/python3';

/** Whether Debian's `gir1.2-gst-rtsp-server-1.0` is installed, with what it needs to encode. */
export function hasRtspServer(): boolean {
  const probe =
    "import gi; gi.require_version('Gst','1.0'); gi.require_version('GstRtspServer','1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None); assert all(map(Gst.ElementFactory.find, ['x264enc', 'x265enc', 'jpegenc', 'rtph264pay']))";
  return spawnSync(python, ['-c', probe], { stdio: 'ignore' }).status === 0;
}

export interface RtspPicture {
  readonly codec?: 'h264' | 'h265' | 'mjpeg';
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly protocol?: 'tcp' | 'udp' | 'both';
  readonly login?: readonly [user: string, password: string];
}

/** GStreamer's RTSP server on loopback, with a picture that moves; it can be ended and started again on the same port. */
export class RtspServer implements AsyncDisposable {
  readonly url: string;
  readonly #port: number;
  #picture: RtspPicture;
  #process: Child | undefined;

  private constructor(port: number, picture: RtspPicture) {
    this.#port = port;
    this.#picture = picture;
    const login = picture.login ? `${picture.login.join(':')}@` : '';
    this.url = `rtsp://${login}127.0.0.1:${port}/stream`;
  }

  static async start(picture: RtspPicture = {}): Promise<RtspServer> {
    const server = new RtspServer(await freePort(), picture);
    await server.restart();
    return server;
  }

  /** With another picture, when one is given. */
  async restart(picture: RtspPicture = {}): Promise<void> {
    this.#picture = { ...this.#picture, ...picture };
    const { codec = 'h264', width = 640, height = 360, fps = 10, protocol = 'both', login = [] } = this.#picture;
    const args = [this.#port, codec, width, height, fps, protocol, ...login].map(String);
    this.#process = new Child(python, [script, ...args]);
    await this.#process.line(/serving/);
  }

  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended();
  }

  /** Its connections stay open, and nothing comes over them. */
  freeze(): void {
    this.#process?.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.process.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.#process?.stop();
  }
}
