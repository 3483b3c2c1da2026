import { createServer } from 'node:http';

/** The service that messages go to: `node provider.js <port>` in the provider's namespace. Takes `?ms=` as long as asked. */
if (require.main === module) {
  const server = createServer((request, response) => {
    const ms = Number(new URL(request.url ?? '/', 'http://provider').searchParams.get('ms') ?? 0);
    setTimeout(() => response.writeHead(200, { 'content-type': 'text/plain' }).end(`took ${ms} ms\n`), ms);
  });
  server.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  server.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 1024 });
}
