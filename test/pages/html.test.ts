import { describe, expect, it } from 'vitest'
import {
  dangerouslyUnescapedScriptElement,
  dangerouslyUnescapedStyleElement,
  Html,
  html,
  jsonElement,
} from '../../src/pages/html.ts'

describe('html', () => {
  it('escapes every character that could end a text or a quoted attribute', () => {
    expect(html`<b title="${`<>&"'`}">${`<>&"'`}</b>`.toString()).toBe(
      '<b title="&lt;&gt;&amp;&quot;&#39;">&lt;&gt;&amp;&quot;&#39;</b>',
    )
  })

  it('escapes what already looks escaped', () => {
    expect(html`${'&lt;'}`.toString()).toBe('&amp;lt;')
  })

  it('takes nested templates as they are, once', () => {
    expect(html`<p>${html`<b>${'<'}</b>`}</p>`.toString()).toBe('<p><b>&lt;</b></p>')
  })

  it('joins arrays of anything it takes, nested too', () => {
    expect(html`${['<', html`<br>`, 7, [undefined, '>']]}`.toString()).toBe('&lt;<br>7&gt;')
  })

  it('renders nothing for what is absent, and zero and the empty string for what they are', () => {
    expect(html`[${undefined}${null}${false}${''}${0}]`.toString()).toBe('[0]')
  })

  it('refuses objects and functions, at compile time and at run time', () => {
    // @ts-expect-error: an object is no value
    expect(() => html`${{ toString: () => '<script>' }}`).toThrow(TypeError)
    // @ts-expect-error: a function is no value
    expect(() => html`${() => '<script>'}`).toThrow(TypeError)
    // @ts-expect-error: a promise is no value
    expect(() => html`${Promise.resolve('<script>')}`).toThrow(TypeError)
  })

  it('cannot be made or forged from outside', () => {
    // @ts-expect-error: the constructor is private
    const made = () => new Html('<script>')
    expect(made).toBeTypeOf('function')
    const forged: Html = Object.create(Html.prototype, { markup: { value: '<script>' } })
    expect(() => html`${forged}`.toString()).toThrow(TypeError)
  })
})

describe('dangerouslyUnescapedStyleElement', () => {
  it('keeps the stylesheet to the byte, for its hash', () => {
    expect(dangerouslyUnescapedStyleElement(`a > b { content: "'&" }`).toString()).toBe(
      `<style>a > b { content: "'&" }</style>`,
    )
  })

  it('refuses a stylesheet that could close its element', () => {
    expect(() => dangerouslyUnescapedStyleElement('</style><script>')).toThrow(TypeError)
  })
})

describe('dangerouslyUnescapedScriptElement', () => {
  it('keeps the script to the byte, and escapes its nonce', () => {
    expect(dangerouslyUnescapedScriptElement(`f(() => "'&")`, 'a"b').toString()).toBe(
      `<script nonce="a&quot;b">f(() => "'&")</script>`,
    )
  })

  it('refuses a script that could close its element', () => {
    expect(() => dangerouslyUnescapedScriptElement('"</script>"', 'n')).toThrow(TypeError)
  })
})

describe('jsonElement', () => {
  it('holds any text without a character that markup or an old script engine knows', () => {
    const data = { a: '</script><!--<script>&amp;"\u2028\u2029', b: 7 }
    const element = jsonElement('d', data).toString()
    const [, json = ''] =
      /^<script type="application\/json" id="d">(.*)<\/script>$/.exec(element) ?? []
    expect(json).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(json)).toEqual(data)
  })
})
