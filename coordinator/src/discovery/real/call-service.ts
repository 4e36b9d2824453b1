import { request } from 'node:http';
import { ShoalError } from '@shoal/protocol';
import type { SoapAnswer } from '../index.ts';

const mostBytes = 256 << 10;

/** SOAP 1.2 over HTTP. A redirect is an answer like any other: it is not followed. @throws `net.unreachable`, `message.too-large` */
export async function callService(url: string, envelope: string, signal: AbortSignal): Promise<SoapAnswer> {
  try {
    return await post(url, envelope, signal);
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    throw new ShoalError('net.unreachable', 'the camera does not answer', {}, { cause: error });
  }
}

function post(url: string, envelope: string, signal: AbortSignal): Promise<SoapAnswer> {
  const headers = { 'content-type': 'application/soap+xml; charset=utf-8' };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers, agent: false, signal }, (answer) => {
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      answer.on('data', (piece: Buffer) => {
        sizeBytes += piece.length;
        if (sizeBytes > mostBytes) {
          asked.destroy(new ShoalError('message.too-large', `the camera answers with more than ${mostBytes} bytes`));
          return;
        }
        pieces.push(piece);
      });
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    asked.once('error', reject);
    asked.end(envelope);
  });
}
