import {
  fakeSinkAndUpstream,
  grpcSinkAndUpstream,
  httpSinkAndUpstream,
} from "../support/sink-upstreams.ts";
import { describeAnswers, describeSpanSink } from "./span-sink.ts";

describeSpanSink("a fake", fakeSinkAndUpstream);
describeAnswers("a fake", fakeSinkAndUpstream);

describeSpanSink("OTLP/gRPC", grpcSinkAndUpstream);
describeAnswers("OTLP/gRPC", grpcSinkAndUpstream);

describeSpanSink("OTLP/HTTP", httpSinkAndUpstream);
describeAnswers("OTLP/HTTP", httpSinkAndUpstream);
