/**
 * Finds a claim by the name that a setting gives: providers put groups and roles into claims inside claims, such as
 * `realm_access.roles` of Keycloak. Pure.
 *
 * @module
 */

/**
 * The claim with exactly this name; else the name is a path with dots. At each step the longest key that exists is tried
 * first, because keys may contain dots themselves. A claim that is null counts as absent.
 * @param name a setting of the operator, never text from a token
 */
export function claimAt(claims: unknown, name: string): unknown {
  if (!isObject(claims)) return undefined
  if (Object.hasOwn(claims, name)) return claims[name] ?? undefined
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const key = name.slice(0, dot)
    if (!Object.hasOwn(claims, key)) continue
    const found = claimAt(claims[key], name.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
