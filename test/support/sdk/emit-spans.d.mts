import type { HrTime } from "@opentelemetry/api";
import type { TracerProvider, TracerProviderOptions } from "@opentelemetry/sdk-trace";

export interface Scene {
  readonly open: (options: TracerProviderOptions) => TracerProvider;
  /** A time some milliseconds into the scene. */
  readonly at: (offsetMs: number) => HrTime;
  /** Leaves out what the SDK cannot write as JSON. */
  readonly isJson?: boolean;
}

export const GROUPS: Readonly<Record<string, (scene: Scene) => void>>;

export function clockFrom(seconds: number): Scene["at"];
