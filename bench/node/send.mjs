// Sends a personalised mail to each reader with nodemailer, pooled: `node send.mjs PORT READERS CONNECTIONS PAGES [KEY]`.
// PAGES is a JSON file with subject, html and text; KEY a PEM file to sign with. Prints the seconds and CPU seconds that it took.
import { readFileSync } from "node:fs";
import nodemailer from "nodemailer";

const [port, readers, connections, pagesFile, keyFile] = process.argv.slice(2);
const pages = JSON.parse(readFileSync(pagesFile, "utf8"));
const dkim = keyFile && {
  domainName: "example.org",
  keySelector: "main",
  privateKey: readFileSync(keyFile, "utf8"),
};
const transport = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: 100,
  dkim,
});

const filled = (page, reader) =>
  page
    .replaceAll("{{ name }}", reader.name)
    .replaceAll("{{ email }}", reader.email)
    .replaceAll("{{ unsubscribe_url }}", reader.unsubscribe);

let next = 0;
async function worker() {
  while (next < readers) {
    const number = next++;
    const reader = {
      name: `Reader ${number}`,
      email: `reader${number}@example.org`,
      unsubscribe: `https://papers.example.org/unsubscribe/${number}`,
    };
    await transport.sendMail({
      from: "Daily Papers <papers@example.org>",
      to: reader.email,
      subject: pages.subject,
      html: filled(pages.html, reader),
      text: filled(pages.text, reader),
      messageId: `<${number}@example.org>`,
      textEncoding: "quoted-printable",
      headers: {
        "List-Unsubscribe": `<${reader.unsubscribe}>`,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
    });
  }
}

const start = process.hrtime.bigint();
const before = process.cpuUsage();
// Twice as many in work as connections, so that no connection waits for the next mail to be composed.
await Promise.all(Array.from({ length: 2 * connections }, worker));
const used = process.cpuUsage(before);
console.log(Number(process.hrtime.bigint() - start) / 1e9, (used.user + used.system) / 1e6);
transport.close();
