/** A thread that shares the work of a pipeline; started by `pipeline run` and by nobody else. */
import { workerData } from 'node:worker_threads'
import { silentLog } from '../engine/context.ts'
import { EngineError } from '../engine/errors.ts'
import { openLane } from '../engine/lanes/lane.ts'
import { serveLane } from '../engine/lanes/lane_thread.ts'
import { checkText } from './load_plans.ts'

const { file, text } = workerData as { file: string; text: string }
const { plan } = checkText(file, text)
if (!plan) throw new EngineError('CONFIG', `${file} does not compile any more`)
serveLane(openLane(plan, silentLog))
