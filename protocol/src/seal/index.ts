export { answerOffer, KeyOffer, type Parties, sealAlgorithm } from './key-agreement.ts';
export { type Sealed, Session } from './session.ts';
export { defaultSessionLimits, type SessionLimits, Sessions } from './sessions.ts';
