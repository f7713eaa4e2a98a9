/**
 * Translates Docker labels into dynamic configuration as Traefik's Docker provider does, for machines without Docker.
 *
 * @module
 */

const LISTS =
  /^(middlewares|authresponseheaders|accesscontrol(alloworiginlistregex|allowmethods|allowheaders|exposeheaders))$/i

type Tree = { [name: string]: Tree | string | string[] | { url: string }[] }

/**
 * @param labels `traefik.http....=value`, with the `$$` of Compose
 * @param addressOf returns the address of a service's container, by the service's name and its port
 */
export function configurationOf(
  labels: readonly string[],
  addressOf: (service: string, port: string) => string,
): Tree {
  const configuration: Tree = {}
  for (const label of labels) {
    const [, path = '', value = ''] =
      /^traefik\.([^=]+)=(.*)$/.exec(label.replaceAll('$$', '$')) ?? []
    if (path === 'enable') continue
    const names = path.split('.')
    const port = /^http\.services\.([^.]+)\.loadbalancer\.server\.port$/i.exec(path)
    if (port) {
      names.splice(-2, 2, 'servers')
      put(configuration, names, [{ url: addressOf(port[1] ?? '', value) }])
    } else {
      put(configuration, names, LISTS.test(names.at(-1) ?? '') ? value.split(',') : value)
    }
  }
  return configuration
}

function put(tree: Tree, [name = '', ...rest]: readonly string[], value: Tree[string]): void {
  if (rest.length === 0) {
    tree[name] = value
    return
  }
  const known = tree[name]
  const below: Tree = typeof known === 'object' && !Array.isArray(known) ? known : {}
  tree[name] = below
  put(below, rest, value)
}
