import { UNTRUSTED_HEADERS } from '../../../src/http/untrusted-headers.ts'

/** Every untrusted header, as it is and in the spellings that some servers read alike. */
export const UNTRUSTED_SPELLINGS: readonly string[] = UNTRUSTED_HEADERS.flatMap((name) => [
  ...new Set([name, name.replaceAll('-', '_'), name.replaceAll('-', '.')]),
])
