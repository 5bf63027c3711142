// Starts the language server of patternc for files `*.pat`.

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async function () {
  const [command, ...args] = workspace.getConfiguration("patternc").get("command");
  const options = { documentSelector: [{ language: "pattern" }] };
  client = new LanguageClient("patternc", "patternc", { command, args }, options);
  await client.start();
};

exports.deactivate = () => client?.stop();
