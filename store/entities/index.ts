/** Every entity of the database, in the order their tables are made. */
import {
  AttackerBehaviorEntity,
  AttackerChangeEntity,
  AttackerEntity,
  SmtpTargetEntity,
} from './attacker.ts'
import { BountyEntity } from './bounty.ts'
import { AttackerIdentityEntity, CampaignEntity, IdentityChangeEntity } from './cluster.ts'
import { CredentialEntity, CredentialSightingEntity } from './credential.ts'
import { CredentialReuseEntity } from './credential_reuse.ts'
import { LogEntity } from './log.ts'
import { OrchestratorEventEntity } from './orchestrator_event.ts'
import { TraversalEntity } from './traversal.ts'
import { EndedTokenEntity, UserEntity } from './user.ts'
import { WebhookDeliveryEntity, WebhookSubscriptionEntity } from './webhook.ts'

export const entities = [
  LogEntity,
  CredentialEntity,
  CredentialSightingEntity,
  BountyEntity,
  TraversalEntity,
  CredentialReuseEntity,
  AttackerEntity,
  AttackerBehaviorEntity,
  SmtpTargetEntity,
  CampaignEntity,
  AttackerIdentityEntity,
  WebhookSubscriptionEntity,
  WebhookDeliveryEntity,
  AttackerChangeEntity,
  IdentityChangeEntity,
  UserEntity,
  EndedTokenEntity,
  OrchestratorEventEntity,
]
