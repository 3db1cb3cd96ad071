import { Command, Option } from 'clipanion'

/** Runs the API: the pipeline `api` under a shorter name. */
export class Api extends Command {
  static override paths = [['api']]
  static override usage = Command.Usage({
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
  port = Option.String('--port', { description: 'port to listen on; default 8000' })
  stateDir = Option.String('--state-dir', { description: 'where checkpoints are kept' })

  override async execute(): Promise<number> {
    if (this.host !== undefined) process.env.DECNET_API_HOST = this.host
    if (this.port !== undefined) process.env.DECNET_API_PORT = this.port
    const state = this.stateDir === undefined ? [] : ['--state-dir', this.stateDir]
    return this.cli.run(['pipeline', 'run', 'api', ...state])
  }
}
