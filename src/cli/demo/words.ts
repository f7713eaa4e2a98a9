/**
 * Short, distinct words for a password that a person can type.
 *
 * @module
 */
import { randomInt } from 'node:crypto'

const WORDS = `
acorn agate alder almond amber anchor apple apron arbor arrow ash aspen aster atlas attic autumn
badge bagel bamboo banjo barley barn basil basin basket bay beach beacon beaver bee beech bell
berry birch bison blanket bloom board bonnet book boot bottle bough boulder bowl branch brass bread
breeze brick bridge brook broom brush bucket bugle bulb butter button cabin cactus camel candle canoe
canvas canyon carrot cart castle cedar cello chalk chapel cherry chess chestnut chime cider cinder
clay cliff cloak clock cloud clover coal coast cobalt cocoa comet compass copper coral cork cotton
cove crane crater cricket crocus crow crystal cumin curtain cypress daisy dawn deer desk dew diamond
dome donkey dove dragon drum duck dune dusk eagle echo elbow elder elk elm ember emerald falcon feather
fennel fern fiddle field fig finch fir flag flame flax flint flute fog forest fossil fox frost garden
garlic gate geyser ginger glacier glade glass globe goat goose grain granite grape gravel grove guitar
gull hammer harbor hare harp hawk hazel heather hedge heron hickory hill hive holly honey hood horizon
horn ice igloo ink iris iron island ivory ivy jacket jade jasmine jewel jigsaw juniper kayak kettle kite
kiwi ladder lagoon lake lamp lantern lark laurel lava leaf lemon lentil lichen lilac lily lime linen lion
lobster loom lotus lynx magnet maple marble marsh meadow melon mint mirror mist mitten moon moose moss
moth mug nectar needle nest nettle nickel night nutmeg oak oasis oat ocean olive onion onyx opal orange
orbit orchid osprey otter owl oyster paddle palm panda paper parrot pasture peach pearl pebble pecan
pelican pepper petal piano pigeon pillow pine planet plum pond poplar poppy prairie prism
puffin pumpkin quail quartz quill rabbit radish rain raven reed ribbon ridge river robin rocket rope
rose ruby saddle saffron sage salmon sand sapphire satin scarf seal shell silk silver sky slate snow
sparrow spruce squid star stone storm stream sugar summit swan syrup table teal thistle thunder tiger
timber toast topaz torch tower trout tulip tundra turnip turtle valley vanilla velvet violet walnut
walrus water wheat willow wind winter wolf wool wren yarn yarrow zebra zephyr zinc
`
  .trim()
  .split(/\s+/)

/** Three random words, about 25 bits: enough for a login with a lock-out that only this machine can reach. */
export function threeWords(): string {
  return Array.from({ length: 3 }, () => WORDS[randomInt(WORDS.length)]).join('-')
}
