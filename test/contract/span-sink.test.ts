import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import {
  fakeSinkAndUpstream,
  fileSinkAndUpstream,
  grpcSinkAndUpstream,
  httpSinkAndUpstream,
} from "../support/upstreams/sink-upstreams.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { kafkaSinkAndUpstream } from "../support/upstreams/kafka-sink-upstream.ts";
import { describeAnswers, describeSilence, describeSpanSink } from "./span-sink.ts";

describeSpanSink("a fake", fakeSinkAndUpstream);
describeAnswers("a fake", fakeSinkAndUpstream);

describeSpanSink("OTLP/gRPC", grpcSinkAndUpstream);
describeAnswers("OTLP/gRPC", grpcSinkAndUpstream);

describeSpanSink("OTLP/HTTP", httpSinkAndUpstream);
describeAnswers("OTLP/HTTP", httpSinkAndUpstream);

describeSpanSink("Kafka", kafkaSinkAndUpstream);
describeSilence("Kafka", kafkaSinkAndUpstream);

const folder = temporaryFolder();

for (const format of ["json", "proto"] as const) {
  describeSpanSink(`a file of ${format}`, async () =>
    fileSinkAndUpstream(mkdtempSync(join(folder, "sink-")), format),
  );
}
