/** Which transport the environment asks for, where a promise hangs on it. */

type Env = Readonly<Record<string, string | undefined>>

/** Whether the transport in use keeps messages until they are acknowledged, as NATS does. */
export const busKeepsMessages = (env: Env): boolean =>
  env.DECNET_BUS_TYPE?.toLowerCase() === 'nats' && env.DECNET_BUS_ENABLED?.toLowerCase() !== 'false'
