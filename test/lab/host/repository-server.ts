import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

export interface DirectoryServer {
  listen: () => Promise<void>;
  /** Also ends transfers that are going on. */
  close: () => Promise<void>;
}

/** Serves the files below `directory` over HTTP: as much of a web server as apt needs. */
export function serveDirectory(
  directory: string,
  address: string,
  port: number,
  log: (line: string) => void,
): DirectoryServer {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://repository').pathname);
    const file = join(directory, normalize(path)); // normalize of an absolute path can't climb above it
    const stat = statSync(file, { throwIfNoEntry: false });
    const found = stat?.isFile() === true && (request.method === 'GET' || request.method === 'HEAD');
    log(`repository: ${request.socket.remoteAddress} ${request.method} ${path} ${found ? 200 : 404}`);
    if (!found) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': stat.size, 'last-modified': stat.mtime.toUTCString() });
    if (request.method === 'HEAD') return void response.end();
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        if (server.listening) return resolve();
        server.once('error', reject);
        server.listen(port, address, () => {
          server.removeListener('error', reject);
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
