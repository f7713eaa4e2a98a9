/**
 * Makes an operator's colour readable: darker on the light pages and lighter on the dark ones, as far as it takes.
 *
 * @module
 */

/** A colour as `#rrggbb`. */
export type Colour = string

/** WCAG 2.2, success criterion 1.4.3: text has this contrast at least. */
const ENOUGH = 4.5
/** Steps on the way to black or white; the last one always has enough. */
const STEPS = 40

const channelsOf = (colour: Colour): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))

/** Relative luminance (WCAG 2.2). */
function luminanceOf(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(colour).map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** The contrast of two colours, from 1 to 21 (WCAG 2.2). */
export function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

/**
 * The colour itself if it can be read on all of the backgrounds, else the nearest one that can on the way to `towards`.
 * @param colour `#rrggbb`
 */
export function readable(
  colour: Colour,
  { on, towards }: { readonly on: readonly Colour[]; readonly towards: Colour },
): Colour {
  for (let step = 0; step < STEPS; step += 1) {
    const mixed = mix(colour, towards, step / STEPS)
    if (on.every((background) => contrast(mixed, background) >= ENOUGH)) return mixed
  }
  return towards
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const end = channelsOf(to)
  const mixed = channelsOf(from).map((channel, index) =>
    Math.round(channel + ((end[index] ?? 0) - channel) * share),
  )
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}
