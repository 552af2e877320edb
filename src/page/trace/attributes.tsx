import { indentedText } from "../model/format.ts";
import { type KeyValue, typeText, valueText } from "../model/otlp.ts";
import { CopyButton } from "../parts/copy-button.tsx";

interface AttributesProps {
  readonly title?: string;
  readonly attributes: readonly KeyValue[] | undefined;
  /** Shows only attributes with this text, in lower case. */
  readonly search: string;
  /** Whether the API can search for them. */
  readonly canFilter?: boolean;
}

/** Attributes, sorted by key. */
export function Attributes({ title, attributes = [], search, canFilter }: AttributesProps) {
  const shown = attributes
    .map(({ key = "", value }) => ({ key, text: valueText(value), type: typeText(value) }))
    .filter(({ key, text }) => `${key}\n${text}`.toLowerCase().includes(search))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
  if (attributes.length === 0) return null;
  return (
    <section>
      {title !== undefined && (
        <h3>
          {title} <span class="faint">{attributes.length}</span>
        </h3>
      )}
      <dl class="attributes">
        {shown.map(({ key, text, type }) => (
          <div key={key}>
            <dt>
              {key} {type !== "" && <span class="type">{type}</span>}
            </dt>
            <dd>
              <span class="value">{type === "" ? indentedText(text) : text}</span>
              <span class="attribute-actions">
                <CopyButton text={text} />
                {canFilter && key !== "" && (
                  <a href={`/?${new URLSearchParams({ attribute: `${key}=${text}` })}`}>
                    Filter by this
                  </a>
                )}
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
