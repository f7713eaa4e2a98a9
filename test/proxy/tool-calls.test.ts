/** The judgement of bodies by callers who may call some tools only: nothing that a server could read in another way. */
import { describe, expect, it } from 'vitest'
import { judgeCalls } from '../../src/proxy/tool-calls.ts'

const allowed = new Set(['read'])
const judge = (body: string | Buffer, more: Record<string, string> = {}) => {
  const headers = { 'content-type': 'application/json', ...more }
  return judgeCalls(
    Buffer.from(body),
    { headers, rawHeaders: Object.entries(headers).flat() },
    allowed,
  )
}
const call = (name: unknown, id: unknown = 1) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } })

/** A message whose list has that many levels within its two. */
const deep = (levels: number) =>
  `{"jsonrpc":"2.0","method":"ping","params":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`

describe('a body that passes', () => {
  it.each<[string, string, Record<string, string>]>([
    ['an allowed tool', call('read'), {}],
    ['nothing', '', {}],
    ['another method', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {}],
    ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}', {}],
    ['a message with as many levels as are read', deep(62), {}],
    ['an error', '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}', {}],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}', {}],
    ['a batch of such', `[${call('read')},{"jsonrpc":"2.0","method":"ping"}]`, {}],
    ['the newest revision', call('read'), { 'mcp-method': 'tools/call', 'mcp-name': 'read' }],
    ['a name in Base64', call('read'), { 'mcp-name': '=?base64?cmVhZA==?=' }],
    ['utf-8', call('read'), { 'content-type': 'application/json; charset=UTF-8' }],
    [
      'free names in the arguments',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read","arguments":{"a":1,"A":2,"Name":"delete"}}}',
      {},
    ],
    [
      'the words of a member in a text',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read","_meta":"\\",\\"name\\":\\"x"}}',
      {},
    ],
  ])('is %s', (_name, body, headers) => expect(judge(body, headers)).toBeUndefined())
})

describe('a call of another tool', () => {
  it('is refused, with the id of its message', () => {
    expect(judge(call('delete', 'seven'))).toEqual({ kind: 'tool', id: 'seven', tool: 'delete' })
  })

  it.each<[string, string | Buffer, Record<string, string>?]>([
    ['in a batch', `[${call('read')},${call('delete')}]`],
    ['in a batch of its own', `[${call('delete')}]`],
    ['without an id', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"}}'],
    [
      'as the second method',
      '{"jsonrpc":"2.0","method":"ping","method":"tools/call","params":{"name":"delete"}}',
    ],
    [
      'as the first method',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"},"method":"ping"}',
    ],
    [
      'as a second name',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read","name":"delete"}}',
    ],
    [
      'as a name in escapes',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read","n\\u0061me":"delete"}}',
    ],
    [
      'as second params',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"},"params":{"name":"delete"}}',
    ],
    [
      'with a method in capitals',
      '{"jsonrpc":"2.0","method":"ping","Method":"tools/call","params":{"name":"delete"}}',
    ],
    [
      'with params in capitals',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"},"PARAMS":{"name":"delete"}}',
    ],
    [
      'with a name in capitals',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read","NAME":"delete"}}',
    ],
    [
      'with a letter that folds',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"},"param\u017f":{"name":"delete"}}',
    ],
    [
      'with a name that is no text',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":["delete"]}}',
    ],
    ['with params that are a list', '{"jsonrpc":"2.0","method":"tools/call","params":["delete"]}'],
    ['in a message that is no object', '["tools/call"]'],
    ['in a format of the server', '{"tool":"delete"}'],
    ['in a message of another JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['in a message without a version', '{"id":1,"method":"ping"}'],
    ['in a message without a method', '{"jsonrpc":"2.0","id":1,"tool":"delete"}'],
    ['in a result of no request', '{"jsonrpc":"2.0","result":{"tool":"delete"}}'],
    ['by a method in a list', '{"jsonrpc":"2.0","id":1,"method":["tools/call"]}'],
    ['by a method in capitals', '{"jsonrpc":"2.0","id":1,"method":"TOOLS/CALL"}'],
    ['by a method with a space', '{"jsonrpc":"2.0","id":1,"method":"tools/call "}'],
    ['by a method with a wide slash', '{"jsonrpc":"2.0","id":1,"method":"tools\uff0fcall"}'],
    ['in a message with more levels than are read', deep(63)],
    ['in a text without end', '{"jsonrpc":"2.0","method":"ping'],
    ['in a text that ends in an escape', '{"jsonrpc":"2.0","method":"ping\\'],
    [
      'with a name in letters of two units',
      '{"jsonrpc":"2.0","method":"ping","\u{1d426}\u{1d41e}\u{1d42d}\u{1d421}\u{1d428}\u{1d41d}":"tools/call"}',
    ],
    ['in something that is no JSON', 'method=tools/call&name=delete'],
    ['with a byte-order mark', `\ufeff${call('delete')}`],
    [
      'in UTF-16',
      Buffer.from(call('delete'), 'utf16le'),
      { 'content-type': 'application/json; charset=utf-16le' },
    ],
    [
      'in a charset that we do not read',
      call('read'),
      { 'content-type': 'application/json;charset="utf-7"' },
    ],
    ['compressed', call('read'), { 'content-encoding': 'gzip' }],
    ['in broken UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['named in a header alone', call('read'), { 'mcp-name': 'delete' }],
    [
      'by a method in a header',
      '{"jsonrpc":"2.0","method":"ping"}',
      { 'mcp-method': 'tools/call' },
    ],
  ])('is refused %s', (_name, body, headers) => {
    expect(judge(body, headers)).toEqual({ kind: 'unreadable' })
  })
})
