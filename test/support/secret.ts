/** The root secret of tests that bring none of their own. */
export const SECRET = 'a root secret for tests, long enough to be one'
