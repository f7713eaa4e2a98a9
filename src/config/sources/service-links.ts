/**
 * Tells the variables that Kubernetes makes up for each Service of a namespace (`enableServiceLinks`), in the form of
 * old Docker links. A Service named `keycloak-auth` makes `KEYCLOAK_AUTH_PORT=tcp://10.0.0.1:8080`.
 *
 * @module
 */

const NAME =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d{1,5}_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)$/
const ADDRESS = /^(?:tcp|udp|sctp):\/\/[\d.:[\]a-f]+:\d{1,5}$/
/** The variables hold an address, a port or a protocol. */
const VALUE = /^(?:[\d.:a-f]+|tcp|udp|sctp)$/i

/** True for a variable that only a Service can have made. */
export function isServiceLink(name: string, value: string): boolean {
  if (ADDRESS.test(value)) return /_PORT$/.test(name) || NAME.test(name)
  return NAME.test(name) && VALUE.test(value)
}
