/**
 * Preloaded into the sample MCP server, which would otherwise listen on every address. The server has no login of its
 * own, so only this machine may reach it.
 *
 * @module
 */
import { Server } from 'node:net'

const listen = Server.prototype.listen

Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number(port), '127.0.0.1', ...rest)
}
