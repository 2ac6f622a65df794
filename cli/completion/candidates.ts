import type { Command, Option } from 'commander';
import { listProfiles } from '../account/profiles.js';

/** Output that asks the shell to complete a file name. */
export const FILES = ':files';

interface Candidate {
  value: string;
  description: string;
}

/**
 * Completes the last of `words`. Each resulting line is a word, a tab and its description. The candidates come from the
 * definitions that parse the command line; no service is called.
 */
export async function candidatesFor(program: Command, words: readonly string[]): Promise<string[]> {
  // Bash splits `--flag=value` into three words.
  const separate = words.filter((word) => word !== '=');
  const current = words.at(-1) === '=' ? '' : (words.at(-1) ?? '');
  const before = words.at(-1) === '=' ? separate : separate.slice(0, -1);

  const { command, pending, wordsTaken, onlyArguments } = walk(program, before);
  if (pending !== undefined) return await valuesOf(pending, current, '');
  const [, flag = '', value = ''] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  const option = flag === '' || onlyArguments ? undefined : optionOf(command, flag);
  if (option !== undefined) return await valuesOf(option, value, `${flag}=`);
  if (current.startsWith('-') && !onlyArguments) return lines(flagsOf(command), current);

  const argument = command.registeredArguments[Math.min(wordsTaken, command.registeredArguments.length - 1)];
  if (argument !== undefined && /^(file|path)$/.test(argument.name())) return [FILES];
  const choices = argument?.argChoices?.map((choice) => ({ value: choice, description: '' })) ?? [];
  return lines([...(wordsTaken === 0 ? commandsOf(command) : []), ...choices], current);
}

/** Parses the words before: the command, the number of its arguments so far, and the flag that still needs a value. */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let wordsTaken = 0;
  let pending: Option | undefined;
  let onlyArguments = false;
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (word === '--') onlyArguments = true;
    else if (word.startsWith('-') && !onlyArguments) {
      const option = optionOf(command, word);
      if (option?.required === true) pending = option;
    } else {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (next === undefined) wordsTaken += 1;
      else [command, wordsTaken] = [next, 0];
    }
  }
  return { command, pending, wordsTaken, onlyArguments };
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

async function valuesOf({ long, argChoices, flags }: Option, value: string, prefix: string): Promise<string[]> {
  if (/<(file|path|database)>/.test(flags)) return [FILES];
  const values = long === '--profile' ? await listProfiles() : (argChoices ?? []);
  return lines(
    values.map((one) => ({ value: prefix + one, description: '' })),
    prefix + value,
  );
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), description: one.description() }));
}

function lines(candidates: readonly Candidate[], start: string): string[] {
  return candidates
    .filter(({ value }) => value.startsWith(start))
    .map(({ value, description }) => (description === '' ? value : `${value}\t${description}`));
}
