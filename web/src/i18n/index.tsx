/** The reader's language: as the browser says, or as chosen by hand, which is remembered. */

import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { en, type Messages } from './en';
import { ko } from './ko';

export type Language = 'en' | 'ko';
export const LANGUAGES: Record<Language, Messages> = { en, ko };

const KEPT_AS = 'pillscope.language';

/** The first language we have among those wished, most wished first; English otherwise. */
export function chosenLanguage(kept: string | null, wished: readonly string[]): Language {
  for (const tag of [kept, ...wished]) {
    const language = tag?.toLowerCase().split('-')[0];
    if (language === 'ko' || language === 'en') return language;
  }
  return 'en';
}

interface Speaking {
  language: Language;
  t: Messages;
  speak: (language: Language) => void;
}

const Context = createContext<Speaking>({ language: 'en', t: en, speak: () => {} });

export function Speech({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() => chosenLanguage(kept(), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `Pillscope: ${LANGUAGES[language].tagline}`;
  }, [language]);
  const speak = (next: Language) => {
    setLanguage(next);
    try {
      localStorage.setItem(KEPT_AS, next);
    } catch {
      // storage is switched off: the choice lasts as long as the page
    }
  };
  return <Context value={{ language, t: LANGUAGES[language], speak }}>{children}</Context>;
}

export function useSpeech(): Speaking {
  return useContext(Context);
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}
