// Checks mails: the markup with html-validate, and with caniemail what some mail client does not know at all.
// Usage: node check.mjs FILE…; prints {"<file>": {"markup": ["line:column rule: message"], "unknown": ["feature"]}}.
import { readFile } from "node:fs/promises";
import { caniemail } from "caniemail";
import { HtmlValidate, StaticConfigLoader } from "html-validate";

const validator = new HtmlValidate(
  new StaticConfigLoader({
    extends: ["html-validate:standard", "html-validate:a11y"],
    rules: {
      // Tables lay out mail, and the oldest clients read attributes only.
      "no-deprecated-attr": "off",
      // Mail clients drop <article> and keep a div with the role.
      "prefer-native-element": ["error", { exclude: ["article"] }],
    },
  }),
);

const answer = {};
for (const file of process.argv.slice(2)) {
  const html = await readFile(file, "utf8");
  const { results } = await validator.validateString(html, file);
  const { issues } = caniemail({ clients: ["*"], html });
  answer[file] = {
    markup: results.flatMap(({ messages }) =>
      messages.map(({ line, column, ruleId, message }) => `${line}:${column} ${ruleId}: ${message}`),
    ),
    unknown: [...new Set([...issues.errors.values()].flat().map(({ title }) => title))].sort(),
  };
}
console.log(JSON.stringify(answer));
