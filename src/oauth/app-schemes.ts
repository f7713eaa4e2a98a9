/**
 * The private-use schemes (RFC 8252 section 7.1) of known apps, and which places behind a scheme may get an answer. An
 * editor's scheme also opens links that install or clone things, so a known scheme is good for its callback places only
 * (threat T48). The setting `CLIENT_REGISTRATION` opens further schemes.
 *
 * @module
 */

interface App {
  readonly scheme: string
  /** Matches the whole text after `scheme:`. */
  readonly places: RegExp
  /** A public page that shows the scheme in use. */
  readonly source: string
}

/**
 * `//authority/oauth/callback` and its kin: words of a sign-in, then a segment that names a callback, then at most one id.
 * Extensions of an editor have the authority `publisher.name`; some of its own authorities open files and machines.
 */
const CALLBACK =
  /^\/\/(?!(?:file|ssh|settings|vscode-[a-z]+)\/)(?:[a-z0-9][a-z0-9._-]*\/)?(?:(?:mcp|auth|oauth2?|mcp-(?:auth|oauth))\/){0,2}(?:oauth2?\/[a-z0-9._-]+\/)?(?:(?:[a-z0-9]+[-_])*[a-z0-9]*callback|did-authenticate|authenticate-success)(?:\/[a-z0-9_-]+)?\/?$/i

/** Raycast names the extension in the query of its documented callback; no other app's place has a query. */
const RAYCAST =
  /^(?:\/\/oauth|\/oauth)(?:\?package_name=[a-z0-9._()-]+)?$|^\/\/(?:oauth\/)?[a-z0-9_-]*callback$/i

const APPS: readonly App[] = [
  { scheme: 'claude', places: CALLBACK, source: 'https://github.com/trypostit/trypost/pull/336' },
  {
    scheme: 'code-oss',
    places: CALLBACK,
    source: 'https://github.com/microsoft/vscode/blob/main/product.json',
  },
  {
    scheme: 'com.raycast',
    places: RAYCAST,
    source: 'https://developers.raycast.com/api-reference/oauth',
  },
  {
    scheme: 'cursor',
    places: CALLBACK,
    source: 'https://github.com/modelcontextprotocol/python-sdk/issues/897',
  },
  {
    scheme: 'cursor-nightly',
    places: CALLBACK,
    source: 'https://aur.archlinux.org/packages/cursor-nightly-bin',
  },
  {
    scheme: 'goose',
    places: CALLBACK,
    source: 'https://github.com/aaif-goose/goose/issues/5107',
  },
  { scheme: 'kiro', places: CALLBACK, source: 'https://github.com/kirodotdev/Kiro/issues/6087' },
  {
    scheme: 'positron',
    places: CALLBACK,
    source: 'https://github.com/posit-dev/positron/blob/main/product.json',
  },
  {
    scheme: 'raycast',
    places: RAYCAST,
    source: 'https://developers.raycast.com/api-reference/oauth',
  },
  {
    scheme: 'trae',
    places: CALLBACK,
    source: 'https://github.com/larksuite/lark-openapi-mcp/blob/main/README.md',
  },
  {
    scheme: 'vscode',
    places: CALLBACK,
    source: 'https://code.visualstudio.com/api/references/vscode-api#window.registerUriHandler',
  },
  {
    scheme: 'vscode-insiders',
    places: CALLBACK,
    source: 'https://code.visualstudio.com/api/references/vscode-api#env.uriScheme',
  },
  {
    scheme: 'vscodium',
    places: CALLBACK,
    source: 'https://github.com/VSCodium/vscodium/blob/master/prepare_vscode.sh',
  },
  { scheme: 'warp', places: CALLBACK, source: 'https://github.com/warpdotdev/warp/issues/9088' },
  { scheme: 'windsurf', places: CALLBACK, source: 'https://github.com/actionhero/keryx/pull/502' },
  {
    scheme: 'windsurf-next',
    places: CALLBACK,
    source: 'https://windsurf.com/changelog/windsurf-next',
  },
  {
    scheme: 'zed',
    places: CALLBACK,
    source: 'https://github.com/zed-industries/zed/blob/main/crates/zed/src/zed/open_listener.rs',
  },
]

const KNOWN = new Map(APPS.map((app) => [app.scheme, app]))

/**
 * Schemes that browsers and systems give a meaning of their own: they run or show content, fetch it, or start another
 * program. No setting opens them.
 */
const DANGEROUS = new Set(
  [
    'javascript livescript mocha vbscript data blob file filesystem about view-source jar resource',
    'intent android-app content market chrome chrome-extension moz-extension edge opera brave',
    'mailto tel sms smsto mms callto facetime facetime-audio maps geo',
    'http https ws wss ftp ftps sftp ssh telnet gopher ldap ldaps smb afp nfs dav davs webdav webdavs',
    'rdp vnc irc ircs git svn news nntp urn cid mid magnet cmd shell search search-ms itms itms-apps',
    'itms-appss itms-services feed wais wyciwyg res mk hcp help x-apple.systempreferences',
  ].flatMap((line) => line.split(' ')),
)
/** The first label of a dotted scheme, where a careless reader could take it for the whole. */
const DANGEROUS_LABELS = new Set(['javascript', 'data', 'vbscript', 'blob', 'file'])
/** At least two labels. */
const REVERSE_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/

/** True for a scheme that no client may have, whatever the operator says. */
export function isDangerousScheme(scheme: string): boolean {
  const [first = ''] = scheme.split('.')
  // Windows starts its own programs by these (`ms-msdt:`, `ms-settings:`, `ms-word:`).
  return DANGEROUS.has(scheme) || DANGEROUS_LABELS.has(first) || /^ms-/.test(scheme)
}

/**
 * The reason why an answer may not go to this place behind a private-use scheme; undefined if it may.
 * @param scheme in lower case, without its colon
 * @param place the text after the colon
 * @param isOpened true for further schemes that the operator allows
 */
export function appSchemeProblem(
  scheme: string,
  place: string,
  isOpened: (scheme: string) => boolean,
): string | undefined {
  if (isDangerousScheme(scheme)) return `uses the scheme ${scheme}, which no client may use`
  const known = KNOWN.get(scheme)
  if (known) {
    return known.places.test(place)
      ? undefined
      : `is no callback address of the app behind ${scheme}:`
  }
  if (place.includes('?')) return 'has a query, which a private scheme must not have'
  if (REVERSE_DOMAIN.test(scheme) || isOpened(scheme)) return undefined
  return `uses the scheme ${scheme}: use https, http on loopback or a reverse-domain scheme, or ask the operator of this server to allow it by CLIENT_REGISTRATION=open,${scheme}:`
}
