import { createServer } from 'node:http';

/** The service that messages go to: `node provider.js <port>` in the provider's namespace. Takes `?ms=` as long as asked. */
if (require.main === module) {
  const server = createServer((request, response) => {
    const ms = Number(new URL(request.url ?? '/', 'http://provider').searchParams.get('ms') ?? 0);
    const body = `took ${ms} ms\n`;
    // With its length, or node would send it in chunks, which the proxy would have to take apart.
    const answer = (): void => void response.writeHead(200, { 'content-length': body.length }).end(body);
    setTimeout(answer, ms);
  });
  server.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  server.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 1024 });
}
