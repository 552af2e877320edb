import { colourOf } from "../model/format.ts";

/** The name of a service beside a dot of its colour. */
export function ServiceName({ service }: { service: string }) {
  return (
    <span class="service">
      <i class={`dot c${colourOf(service)}`} />
      {service}
    </span>
  );
}
