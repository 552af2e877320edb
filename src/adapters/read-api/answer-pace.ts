import { CollectionPace } from "../memory/collection-pace.ts";

/** Of all answers together: what was sent or looked at is garbage, and can exceed the ring. */
export const answerPace = new CollectionPace();
