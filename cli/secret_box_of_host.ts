/** The key of this host that secrets in the database are sealed with. */
import type { SecretBox } from '../store/secret_box.ts'
import { findSecret } from './secret_policy.ts'
import { stateDir } from './state_dir.ts'

/**
 * By `DECNET_SECRET_KEY`, also as a credential, else by `secret.key` in the state directory.
 * @param asked `--state-dir`
 * @throws {FatalError} `SECRET_KEY`
 */
export async function secretBoxOfHost(
  env: Readonly<Record<string, string | undefined>>,
  asked: string | undefined,
): Promise<SecretBox> {
  const { openSecretBox } = await import('../store/secret_box.ts')
  return openSecretBox(findSecret('DECNET_SECRET_KEY', env)?.value, stateDir(asked, env))
}
