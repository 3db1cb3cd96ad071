/** Every entity of the database, in the order their tables are made. */
import { AttackerBehaviorEntity, AttackerEntity, SmtpTargetEntity } from './attacker.ts'
import { BountyEntity } from './bounty.ts'
import { AttackerIdentityEntity, CampaignEntity } from './cluster.ts'
import { CredentialEntity, CredentialSightingEntity } from './credential.ts'
import { CredentialReuseEntity } from './credential_reuse.ts'
import { LogEntity } from './log.ts'
import { TraversalEntity } from './traversal.ts'
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
]
