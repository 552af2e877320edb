import { isWhole, resultText } from "../model/upload-result.ts";
import { dismissUploads, isRunning, type Upload, uploads } from "./uploads.ts";

/** Shows the progress and the result of uploads until it is closed. */
export function UploadPanel() {
  if (uploads.value.length === 0) return null;
  const isDone = uploads.value.some((each) => !isRunning(each));
  return (
    <section class="uploads" aria-label="Uploads">
      <div role="status">
        <ul>
          {uploads.value.map((each) => (
            <UploadRow key={each.id} each={each} />
          ))}
        </ul>
      </div>
      {isDone && (
        <button type="button" class="quiet" onClick={dismissUploads}>
          Close
        </button>
      )}
    </section>
  );
}

function UploadRow({ each }: { each: Upload }) {
  const { name, share, result, mistake } = each;
  const isFaulty = mistake !== undefined || (result !== undefined && !isWhole(result));
  return (
    <li class={isFaulty ? "is-error" : ""}>
      <b>{name}</b>{" "}
      {isRunning(each) && (
        <progress aria-label={`Upload of ${name}`} value={share}>
          {Math.round(share * 100)} %
        </progress>
      )}
      {result !== undefined && <span>{resultText(result)}</span>}
      {mistake !== undefined && <span>not uploaded: {mistake}</span>}
      {(result?.reasons ?? []).map((reason) => (
        <p key={reason} class="mono">
          {reason}
        </p>
      ))}
    </li>
  );
}
