/**
 * Preloaded into the sample MCP server, which would listen on every address: it has no login of its own, so
 * nobody but this machine may reach it.
 *
 * @module
 */
import { Server } from 'node:net'

const listen = Server.prototype.listen

Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number(port), '127.0.0.1', ...rest)
}
