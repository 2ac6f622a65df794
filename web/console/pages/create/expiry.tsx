import { useId } from 'preact/hooks';
import type { TokenLimits } from '../../../../client/index.js';
import { Choices } from '../../parts/choices.js';
import { DAY, dayOf } from '../../times.js';
import * as texts from '../../words/create.js';

/** When a token expires: after a preset, after as many days as somebody typed, or never. */
export interface Expiry {
  choice: string;
  /** Null for never, undefined while what was typed is no number. */
  days: number | null | undefined;
  typed: string;
}

const PRESETS = [7, 30, 90, 365];
/** The longest lifetime that the service takes, in days. */
const LONGEST = 365;
const OTHER = 'other';
const NEVER = 'never';

type Limits = Pick<TokenLimits, 'defaultLifetimeDays' | 'maxLifetimeDays' | 'requireExpiry'>;

function mostOf({ maxLifetimeDays }: Limits): number {
  return Math.min(maxLifetimeDays ?? LONGEST, LONGEST);
}

function presetsOf(limits: Limits): number[] {
  const most = mostOf(limits);
  const { defaultLifetimeDays: usual } = limits;
  const days = new Set([...PRESETS, most, ...(usual === null ? [] : [usual])]);
  return [...days].filter((each) => each <= most).sort((a, b) => a - b);
}

/** Whether a token may live for ever; without an expiry, a policy with a limit gives its longest lifetime. */
function mayBeEndless({ requireExpiry, maxLifetimeDays, defaultLifetimeDays }: Limits): boolean {
  return !requireExpiry && maxLifetimeDays === null && defaultLifetimeDays === null;
}

export function firstExpiry(limits: Limits): Expiry {
  const days = Math.min(limits.defaultLifetimeDays ?? 30, mostOf(limits));
  return { choice: String(days), days, typed: '' };
}

/** What is wrong with it, before the service says so. */
export function expiryProblem({ days }: Expiry, limits: Limits): string | undefined {
  if (days === null) return undefined;
  const most = mostOf(limits);
  return days !== undefined && days >= 1 && days <= most ? undefined : texts.range(most);
}

/** The last day of a token that lives for `days` from now. */
export function lastDayOf(days: number | undefined): number {
  return Date.now() + (days ?? 0) * DAY;
}

interface ExpiryFieldProps {
  limits: Limits;
  value: Expiry;
  change: (value: Expiry) => void;
  error: string | undefined;
}

/** Presets with the date in words, as far as the policy allows them. */
export function ExpiryField({ limits, value, change, error }: ExpiryFieldProps) {
  const id = useId();
  const problem = expiryProblem(value, limits);
  const choose = (choice: string): void => {
    if (choice === OTHER) change({ ...value, choice, days: daysIn(value.typed) });
    else change({ ...value, choice, days: choice === NEVER ? null : Number(choice) });
  };
  const choices = [
    ...presetsOf(limits).map((days) => [String(days), days === 365 ? texts.year : texts.days(days)] as const),
    [OTHER, texts.custom] as const,
    ...(mayBeEndless(limits) ? [[NEVER, texts.never] as const] : []),
  ];
  return (
    <Choices legend={texts.expiry} describedBy={`${id}-date`} options={choices} value={value.choice} change={choose}>
      {value.choice === OTHER && (
        <div class="field">
          <label for={`${id}-days`}>{texts.customDays}</label>
          <input
            id={`${id}-days`}
            class="short"
            inputMode="numeric"
            autocomplete="off"
            aria-invalid={error === undefined ? undefined : 'true'}
            aria-describedby={`${id}-date`}
            value={value.typed}
            onInput={(event) => {
              const typed = event.currentTarget.value;
              change({ choice: OTHER, typed, days: daysIn(typed) });
            }}
          />
        </div>
      )}
      <p id={`${id}-date`} class={error === undefined ? 'hint' : 'error'}>
        {error ??
          (problem !== undefined
            ? problem
            : value.days === null
              ? texts.forever
              : texts.until(dayOf(lastDayOf(value.days))))}{' '}
        {error === undefined && limits.maxLifetimeDays !== null && texts.most(mostOf(limits))}
      </p>
    </Choices>
  );
}

function daysIn(text: string): number | undefined {
  return /^\d{1,5}$/.test(text.trim()) ? Number(text) : undefined;
}
