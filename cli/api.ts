import { Command, Option } from 'clipanion'
import { portNumber } from './option_values.ts'
import { WorkerCommand } from './worker_command.ts'

/** Serves the dashboard and its API. */
export class Api extends WorkerCommand {
  static override paths = [['api']]
  static override usage = Command.Usage({
    category: 'Workers',
    description: 'Serve the dashboard, its API and its streams.',
    details:
      'The same as `pipeline run api`. It listens on `$DECNET_API_HOST` and `$DECNET_API_PORT`; ' +
      '`$DECNET_JWT_SECRET` signs its tokens. With no user yet, one is made: `$DECNET_ADMIN_USER` ' +
      'with `$DECNET_ADMIN_PASSWORD`, or with a password that is printed once.',
    examples: [
      ['Serve this host', '$0 api'],
      ['Serve the network', '$0 api --host 0.0.0.0 --port 8443'],
    ],
  })
  host = Option.String('--host', { description: 'address to listen on; default 127.0.0.1' })
  port = Option.String('--port', {
    description: 'port to listen on; default 8000',
    validator: portNumber,
  })

  protected readonly pipeline = 'api'
  protected variables() {
    return { DECNET_API_HOST: this.host, DECNET_API_PORT: this.port }
  }
}
