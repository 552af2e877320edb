import type { HrTime } from "@opentelemetry/api";
import type { TracerProvider, TracerProviderOptions } from "@opentelemetry/sdk-trace";

export interface Scene {
  readonly open: (options: TracerProviderOptions) => TracerProvider;
  /** A time some milliseconds into the scene. */
  readonly at: (offsetMs: number) => HrTime;
}

export const GROUPS: Readonly<Record<string, (scene: Scene) => void>>;

export function clockFrom(seconds: number): Scene["at"];
