/**
 * The manifests of deploy/ingress-nginx/, read strictly: a misspelt key would be a route without a login.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { ROOT, readPage } from './documentation.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'

const Ingress = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('Ingress'),
  metadata: z.strictObject({
    name: z.string(),
    namespace: z.literal('mcp'),
    annotations: z.record(z.string().startsWith(PREFIX), z.string()),
  }),
  spec: z.strictObject({
    ingressClassName: z.literal('nginx'),
    tls: z.array(z.strictObject({ hosts: z.array(z.string()), secretName: z.string() })),
    rules: z.array(
      z.strictObject({
        host: z.string(),
        http: z.strictObject({
          paths: z.array(
            z.strictObject({
              path: z.string().startsWith('/'),
              pathType: z.enum(['Exact', 'Prefix']),
              backend: z.strictObject({
                service: z.strictObject({
                  name: z.string(),
                  port: z.strictObject({ number: z.int() }),
                }),
              }),
            }),
          ),
        }),
      }),
    ),
  }),
})

export type Ingress = z.infer<typeof Ingress> & { readonly file: string }

/** Every Ingress that is shipped, in the order of files and documents. */
export function readIngresses(): readonly Ingress[] {
  return readdirSync(`${ROOT}deploy/ingress-nginx`).flatMap((file) =>
    parseAllDocuments(readPage(`deploy/ingress-nginx/${file}`)).map((document) => ({
      file,
      ...Ingress.parse(document.toJS()),
    })),
  )
}

/** The value of one of the controller's annotations. */
export function annotation(
  { metadata }: Pick<Ingress, 'metadata'>,
  name: string,
): string | undefined {
  return metadata.annotations[PREFIX + name]
}
