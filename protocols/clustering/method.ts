/** Ways of clustering that a host may choose between. */

const METHODS: readonly string[] = ['connected_components']

/**
 * @param named by a person: blanks around it and capitals do not count
 * @returns undefined where it is one of them; else what is wrong, with the names there are
 */
export const whyNoMethod = (named: string): string | undefined =>
  METHODS.includes(named.trim().toLowerCase())
    ? undefined
    : `no such method of clustering; there is ${METHODS.join(', ')}`
