/**
 * Requests of devices that wait for a person (RFC 8628), and how they are polled. Strangers make them, so their number is
 * bounded: a request lives in one of a fixed number of places, which follows from its user code.
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `device:<place>` | {@link DeviceRecord} | until its codes expire; once redeemed, a minute |
 * | `device-poll:<place>` | {@link PollRecord} | as the request |
 *
 * @module
 */
import type { AuthenticStorage } from './authentic.ts'

/** A request for access that a person answers in a browser. */
export interface DeviceRecord {
  /** Names the request, whatever else was or will be in its place. */
  readonly id: string
  /** A MAC of the user code. */
  readonly userCode: string
  readonly clientHash: string
  readonly clientName: string
  readonly clientConfigured: boolean
  /** The host of the client's metadata document, if it has one. */
  readonly documentHost?: string
  /** The resource's audience. */
  readonly resource: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** Absent until the person answered. */
  readonly answer?: DeviceAnswer
}

export type DeviceAnswer =
  | { readonly kind: 'denied' }
  | {
      readonly kind: 'approved'
      readonly grantId: string
      /** A new random id each time an attempt gives the answer back, so that the record differs from every earlier one. */
      readonly freedBy?: string
    }
  /** `by`: the id of the attempt that redeemed it. */
  | { readonly kind: 'redeemed'; readonly grantId: string; readonly by: string }

/** How a request is polled. */
export interface PollRecord {
  /** The id of the request. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly polledAt: number
  /** Seconds that the client has to wait between two polls. */
  readonly interval: number
}

export interface DeviceRecords {
  /** False if another request is in this place. */
  create(place: number, request: DeviceRecord, ttlSeconds: number): Promise<boolean>
  find(place: number): Promise<DeviceRecord | undefined>
  /** Writes `next` if the place still holds `expected`. True for one caller only. */
  replace(
    place: number,
    expected: DeviceRecord,
    next: DeviceRecord,
    ttlSeconds: number,
  ): Promise<boolean>
  findPoll(place: number): Promise<PollRecord | undefined>
  /** Writes `next` in the place of `expected`, which may be none. False if another process was faster. */
  putPoll(
    place: number,
    expected: PollRecord | undefined,
    next: PollRecord,
    ttlSeconds: number,
  ): Promise<boolean>
}

export function createDeviceRecords(believed: AuthenticStorage): DeviceRecords {
  const request = (place: number) => `device:${place}`
  const poll = (place: number) => `device-poll:${place}`
  return {
    create: (place, record, ttl) => believed.create(request(place), record, ttl),
    find: (place) => believed.get<DeviceRecord>(request(place)),
    replace: (place, expected, next, ttl) => believed.replace(request(place), expected, next, ttl),
    findPoll: (place) => believed.get<PollRecord>(poll(place)),
    putPoll: (place, expected, next, ttl) =>
      expected
        ? believed.replace(poll(place), expected, next, ttl)
        : believed.create(poll(place), next, ttl),
  }
}
