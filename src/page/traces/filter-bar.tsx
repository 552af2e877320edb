import { useRef, useState } from "preact/hooks";
import { type Chip, CONDITIONS, type ConditionName, labelOf, withChip } from "../model/filters.ts";
import { useKeys } from "../parts/keys.ts";

interface FilterBarProps {
  readonly chips: readonly Chip[];
  readonly onChange: (chips: readonly Chip[]) => void;
}

const CHOICES: Partial<Record<ConditionName, readonly string[]>> = {
  status: ["error", "ok", "unset"],
  kind: ["server", "client", "internal", "producer", "consumer"],
};

/** The filter: a field for a condition to add, and a chip for each one in force. */
export function FilterBar({ chips, onChange }: FilterBarProps) {
  const [name, setName] = useState<ConditionName>("text");
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const add = (event: Event): void => {
    event.preventDefault();
    const value = field.current!.value.trim();
    if (value === "") return;
    onChange(withChip(chips, { name, value }));
    field.current!.value = "";
  };
  const condition = CONDITIONS.find((each) => each.name === name)!;
  return (
    <form class="filter" role="search" onSubmit={add}>
      <select
        aria-label="Filter by"
        value={name}
        onChange={(event) => setName(event.currentTarget.value as ConditionName)}
      >
        {CONDITIONS.map((each) => (
          <option key={each.name} value={each.name}>
            {each.label}
          </option>
        ))}
      </select>
      <input
        ref={field}
        type="search"
        aria-label={`Filter value: ${condition.label}`}
        placeholder={name === "text" ? "Search names and attribute values" : condition.example}
        list="filter-words"
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      <datalist id="filter-words">
        {(CHOICES[name] ?? []).map((word) => (
          <option key={word} value={word} />
        ))}
      </datalist>
      <Chips chips={chips} onChange={onChange} />
    </form>
  );
}

function Chips({ chips, onChange }: FilterBarProps) {
  return (
    <>
      {chips.map((chip) => (
        <button
          key={labelOf(chip)}
          type="button"
          class="chip"
          aria-label={`Remove filter ${labelOf(chip)}`}
          onClick={() => onChange(chips.filter((each) => each !== chip))}
        >
          {labelOf(chip)} <span aria-hidden="true">×</span>
        </button>
      ))}
      {chips.length > 1 && (
        <button type="button" class="quiet" onClick={() => onChange([])}>
          Clear
        </button>
      )}
    </>
  );
}
