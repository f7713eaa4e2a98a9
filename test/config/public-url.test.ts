import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const publicUrl = (value: string) => load({ env: { PUBLIC_URL: value } }).config.publicUrl
const problems = (value: string | undefined) =>
  problemsOf(() => load({ env: { PUBLIC_URL: value } }))

describe('PUBLIC_URL', () => {
  it('is required', () => {
    expect(problems(undefined)).toEqual([
      'PUBLIC_URL: is not set. Set it to the address at which people reach Gatewarden, such as https://auth.example.com.',
    ])
  })

  it.each([
    ['https://Auth.Example.com', 'https://auth.example.com'],
    ['https://auth.example.com/', 'https://auth.example.com'],
    ['https://auth.example.com:443', 'https://auth.example.com'],
    ['https://auth.example.com.', 'https://auth.example.com'],
    ['https://auth.example.com:8443', 'https://auth.example.com:8443'],
  ])('makes one origin out of %s', (value, origin) => {
    expect(publicUrl(value)).toEqual({
      origin,
      host: origin.slice('https://'.length),
      secure: true,
    })
  })

  it.each([
    'http://localhost:11000',
    'http://127.0.0.1',
    'http://127.9.9.9:80',
    'http://[::1]:8080',
  ])('may be plain http on this machine: %s', (value) => {
    expect(publicUrl(value).secure).toBe(false)
    expect(load({ env: { PUBLIC_URL: value, PORT: '1' } }).warnings).toEqual([])
  })

  it.each([
    'http://auth.example.com',
    'http://192.168.1.5',
    'http://localhost.example.com',
    'http://127.example.com',
  ])('may be plain http elsewhere only with DEV_MODE, and with a warning: %s', (value) => {
    expect(problems(value)).toEqual([
      'PUBLIC_URL: is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.',
    ])
    expect(load({ env: { PUBLIC_URL: value, DEV_MODE: 'true' } }).warnings).toEqual([
      'PUBLIC_URL: is plain http: everyone on the network can read the tokens.',
    ])
  })

  it.each([
    ['https://auth.example.com/login', /has the path "\/login"\. Write the origin alone/],
    ['https://auth.example.com/a/..', /has the path/],
    ['https://auth.example.com?a=b', /has a query or fragment/],
    ['https://auth.example.com#x', /has a query or fragment/],
    ['https://*.example.com', /is a wildcard/],
    ['auth.example.com', /is not an http or https URL\. Write it like/],
    ['ftp://auth.example.com', /is not an http or https URL/],
    ['https:auth.example.com', /is not an http or https URL/],
    ['https://auth.example.com\\x', /is not an http or https URL/],
    ['https://a..example.com', /empty label/],
    ['https://', /is not an http or https URL/],
  ])('refuses %s', (value, problem) => {
    expect(problems(value)).toEqual([expect.stringMatching(/^PUBLIC_URL: /)])
    expect(problems(value)[0]).toMatch(problem)
  })

  it.each([
    'https://ann:hunter2@auth.example.com',
    'https://ann:hunter2@x/a?b',
    'https://hunter2@',
  ])('refuses a password in it without showing it', (value) => {
    expect(problems(value)).toHaveLength(1)
    expect(problems(value).join()).not.toContain('hunter2')
  })
})
