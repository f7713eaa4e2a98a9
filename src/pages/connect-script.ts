/**
 * The script of the connect page: hands the session over when its button is pressed, and says how that went.
 *
 * @module
 */

/**
 * Runs in the browser. Without it the page's forms do the same by leaving the page.
 *
 * `targetAddressSpace` tells a browser with Local Network Access that the request goes to a program on this computer;
 * its permission prompt is about that. A browser that knows the option but not the value throws and sends nothing.
 */
export const CONNECT_SCRIPT = `
const [data, form, status, note, fallback, pass, copy] = [
  'data', 'connect', 'status', 'note', 'fallback', 'pass', 'copy',
].map((id) => document.getElementById(id))
const { port, token, code } = JSON.parse(data.textContent)
const [button] = form.getElementsByTagName('button')

const request = () => {
  const url = 'http://127.0.0.1:' + port + '/callback'
  const options = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, code }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  }
  try {
    return new Request(url, { ...options, targetAddressSpace: 'loopback' })
  } catch {
    return new Request(url, options)
  }
}

const deliver = async () => {
  try {
    return await (await fetch(request())).json()
  } catch {
    return undefined
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  button.disabled = true
  status.classList.remove('failed')
  status.textContent = 'Connecting. Your browser may be asking you something now.'
  const answer = await deliver()
  if (answer?.ok === true) {
    for (const part of [form, note, fallback]) part.hidden = true
    status.textContent = 'Connected. You can close this tab.'
    return
  }
  button.disabled = false
  status.classList.add('failed')
  if (answer === undefined || answer === null) {
    status.textContent = 'Could not reach the program on this computer. Is it still running?'
  } else if (typeof answer.error === 'string') {
    status.textContent = 'The program on this computer refused: ' + answer.error.slice(0, 200)
  } else {
    status.textContent = 'Connection failed. Please try again.'
  }
  fallback.open = true
})

copy.hidden = false
copy.addEventListener('click', async () => {
  pass.select()
  try {
    await navigator.clipboard.writeText(pass.value)
    copy.textContent = 'Copied'
  } catch {
    copy.textContent = 'Press Ctrl-C to copy'
  }
})
`
