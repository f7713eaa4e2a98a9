/**
 * An operator with the file and the Ingresses of docs/migrate/matheuscscp-mcp-oauth2-proxy.md, in a plain nginx configured as
 * ingress-nginx would do it. Only hosts, ports and the scheme are changed: this machine has no certificate.
 *
 * @module
 */
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { startSampleServer } from '../../../scripts/lib/everything.ts'
import { startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import { migrationPage } from '../../migrate/migration-page.ts'
import { blockOf } from '../../support/documentation.ts'
import { GOOGLE_CLIENT, type GoogleStandIn } from '../../support/google-stand-in.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { startIngressNginx } from './ingress-nginx.ts'
import { nameLoopback } from './loopback-names.ts'

/** A domain below a top level for which clients accept http; only this process can resolve it. */
const DOMAIN = 'gw.localhost'
const Ingresses = z.array(
  z.object({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('Ingress'),
    metadata: z.object({
      name: z.string(),
      namespace: z.literal('mcp').default('mcp'),
      annotations: z
        .record(z.string().startsWith('nginx.ingress.kubernetes.io/'), z.string())
        .default({}),
    }),
    spec: z.object({
      ingressClassName: z.literal('nginx').default('nginx'),
      tls: z.array(z.object({ hosts: z.array(z.string()), secretName: z.string() })).default([]),
      rules: z.array(
        z.object({
          host: z.string(),
          http: z.object({
            paths: z.array(
              z.object({
                path: z.string().startsWith('/'),
                // Theirs are of the kind `ImplementationSpecific`, which the controller treats alike.
                pathType: z.literal('Prefix').default('Prefix'),
                backend: z.object({
                  service: z.object({ name: z.string(), port: z.object({ number: z.int() }) }),
                }),
              }),
            ),
          }),
        }),
      ),
    }),
  }),
)

export interface MatheuscscpWorld {
  readonly mcpUrl: string
  stop(): Promise<void>
}

export const startMatheuscscpWorld = (google: GoogleStandIn): Promise<MatheuscscpWorld> =>
  startInFolder('matheuscscp-', (place) => start(google, place))

async function start(google: GoogleStandIn, { folder, onStop }: Place) {
  const forget = nameLoopback(DOMAIN)
  onStop(async () => forget())
  const { text } = migrationPage('matheuscscp-mcp-oauth2-proxy')
  const [port, own] = [await freePort(), await freePort()]
  const sample = await startSampleServer()
  onStop(() => sample.process.stop())
  const file = blockOf(text, 'example: gatewarden.yaml')
    .replaceAll(/https:\/\/(\w+)\.example\.com/g, `http://$1.${DOMAIN}:${port}`)
    // Their only client was Claude in the browser; this one is on this machine.
    .replace('client_registration: [claude.ai]', 'client_registration: [127.0.0.1]')
    .replace('10.0.0.0/16', '127.0.0.1')
    .replace(/scopes_endpoint: .*/, `scopes_endpoint: ${sample.url}`)
    .replace(/client_id: .*/, `client_id: ${GOOGLE_CLIENT.id}`)
    .replace(/client_secret: .*/, `client_secret: ${GOOGLE_CLIENT.secret}`)
    .replace('type: google', `type: google\n    issuer_url: ${google.issuer}`)
  const gatewarden = await startGatewarden({
    folder,
    listen: { host: '127.0.0.1', port: own },
    settings: { DEV_MODE: 'true' },
    file: parse(file),
  })
  onStop(() => gatewarden.stop())
  const documents = parseAllDocuments(blockOf(text, 'example: ingresses'))
  const controller = await startIngressNginx({
    folder: join(folder, 'nginx'),
    port,
    addresses: ['127.0.0.1'],
    ingresses: Ingresses.parse(documents.map((document) => document.toJS())),
    here: (it) =>
      it
        .replace('https://$host/', `http://127.0.0.1:${port}/`)
        .replace('.example.com', `.${DOMAIN}`)
        .replace('mcp-oauth2-proxy:80', gatewarden.address)
        .replace('notes:80', sample.address),
  })
  onStop(() => controller.stop())
  return { mcpUrl: `http://mcp.${DOMAIN}:${port}/mcp` }
}
