/** Every entity of the database, in the order their tables are made. */
import { BountyEntity } from './bounty.ts'
import { AttackerIdentityEntity, CampaignEntity } from './cluster.ts'
import { CredentialEntity, CredentialSightingEntity } from './credential.ts'
import { LogEntity } from './log.ts'
import { TraversalEntity } from './traversal.ts'

export const entities = [
  LogEntity,
  CredentialEntity,
  CredentialSightingEntity,
  BountyEntity,
  TraversalEntity,
  CampaignEntity,
  AttackerIdentityEntity,
]
