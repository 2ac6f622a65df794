// Configuration with which other tools find tokens of a brand. They know no checksum, so that they also find texts that only look
// like tokens.

/** A tool that `toolConfiguration` knows. */
export type Tool = 'github' | 'gitlab' | 'gitleaks' | 'trufflehog' | 'ripgrep';

const KINDS = ['pat', 'ses', 'ref'];
const NAME = 'Latchkey token';
const ADVICE = 'A token of Latchkey. Revoke it, and report it to the service.';

/** The configuration of `tool` that finds tokens of these brands, which are lower-case letters and digits. */
export function toolConfiguration(tool: Tool, brands: readonly string[]): string {
  const [first = ''] = brands;
  const brand = brands.length === 1 ? first : `(?:${brands.join('|')})`;
  const pattern = `${brand}_(?:${KINDS.join('|')})_[0-9A-Za-z]{36}`;
  const keywords = brands.flatMap((each) => KINDS.map((kind) => `${each}_${kind}_`));
  switch (tool) {
    case 'github':
      return github(pattern);
    case 'gitlab':
      return gitlab(pattern, keywords);
    case 'gitleaks':
      return `title = "${NAME}s"\n\n[extend]\nuseDefault = true\n\n${gitleaksRule(`\\b${pattern}\\b`, keywords)}`;
    case 'trufflehog':
      return trufflehog(`\\b${pattern}\\b`, keywords);
    case 'ripgrep':
      return `\\b${pattern}\\b\n`;
  }
}

/** The fields of the form, in their order. GitHub reads them from no file. */
function github(pattern: string): string {
  return [
    `Pattern name:   ${NAME}`,
    `Secret format:  ${pattern}`,
    'Before secret:  \\A|[^0-9A-Za-z]',
    'After secret:   \\z|[^0-9A-Za-z]',
    '',
  ].join('\n');
}

/** The file `.gitlab/secret-detection-ruleset.toml`, which extends GitLab's own rules. */
function gitlab(pattern: string, keywords: readonly string[]): string {
  return `[secrets]
  description = "${NAME}s and GitLab's own rules"

  [[secrets.passthrough]]
    type = "raw"
    target = "gitleaks.toml"
    value = '''
title = "${NAME}s"

[extend]
path = "/gitleaks.toml"

${gitleaksRule(pattern, keywords, '"')}'''
`;
}

function gitleaksRule(pattern: string, keywords: readonly string[], quote = "'''"): string {
  return `[[rules]]
id = "latchkey-token"
description = "${ADVICE}"
regex = ${quote}${pattern}${quote}
keywords = [${keywords.map((keyword) => `"${keyword}"`).join(', ')}]
`;
}

function trufflehog(pattern: string, keywords: readonly string[]): string {
  return `detectors:
  - name: ${NAME}
    description: ${ADVICE}
    keywords:
${keywords.map((keyword) => `      - ${keyword}\n`).join('')}    regex:
      token: '${pattern}'
`;
}
