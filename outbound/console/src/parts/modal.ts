// Opens a <dialog> over the page; a click beside it closes it, and focus goes back where it was.
import type { Attachment } from 'svelte/attachments';

export const modal: Attachment<HTMLDialogElement> = (dialog) => {
  const before = document.activeElement;
  dialog.showModal();
  const beside = (event: MouseEvent): void => {
    if (event.target === dialog) dialog.close();
  };
  dialog.addEventListener('click', beside);
  return () => {
    dialog.removeEventListener('click', beside);
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
};
