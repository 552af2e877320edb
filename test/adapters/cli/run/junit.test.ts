import { expect, test } from "bun:test";
import { junitXml } from "../../../../src/adapters/cli/run/junit.ts";

test("a run becomes a test suite of its command and its expectations", () => {
  const text = junitXml([
    { name: "npm test", seconds: 1.5 },
    { name: "name=GET / & count>=2", seconds: 0.25, failure: "seen: 1 span\nwithout name=GET /" },
  ]);

  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0" time="1.750">
  <testsuite name="spanring" tests="2" failures="1" errors="0" time="1.750" skipped="0">
    <testcase classname="spanring.run" name="npm test" time="1.500"/>
    <testcase classname="spanring.run" name="name=GET / &amp; count&gt;=2" time="0.250">
      <failure message="seen: 1 span">seen: 1 span&#10;without name=GET /</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test.each([
  { name: "markup", text: `<b a="1">&`, escaped: "&lt;b a=&quot;1&quot;&gt;&amp;" },
  { name: "control characters", text: "a\u0000\u001b[31m\rb", escaped: "a��[31m�b" },
  { name: "half a surrogate pair", text: "a\ud800b", escaped: "a�b" },
  { name: "noncharacters of XML", text: "\ufffe\uffff", escaped: "��" },
  { name: "letters beyond ASCII", text: "Größe ✗ 字", escaped: "Größe ✗ 字" },
])("the XML stays valid with $name in a name", ({ text, escaped }) => {
  expect(junitXml([{ name: text, seconds: 0 }])).toContain(`name="${escaped}"`);
});
