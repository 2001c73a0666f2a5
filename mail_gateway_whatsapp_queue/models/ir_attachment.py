# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import hashlib
import logging
import os
from pathlib import Path

from odoo import api, models

from .. import voices

_logger = logging.getLogger(__name__)


class StoreFailed(Exception):
    """The store of files did not keep a file, such as a disk that is full."""


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _index(self, bin_data, file_type, checksum=None):
        """Leave the words of strangers' files alone.

        Odoo holds a text several times in memory to find its words, and add-ons
        unpack documents for it, which may be many times as large inside.
        """
        if self.env.context.get("whatsapp_received"):
            return (file_type or "").split("/")[0] or False
        return super()._index(bin_data, file_type, checksum=checksum)

    @api.model
    def _whatsapp_store(self, values):
        """Create the attachment of a received file, and see that it is there.

        On 18.0 Odoo says nothing when a file cannot be written, and what was written
        of it stands in the way of the same file later.

        :param dict values: of the attachment, with its content as ``raw``
        :raise StoreFailed: nothing is kept
        """
        content = values["raw"]
        try:
            self._whatsapp_remove_broken(content)
            attachment = self.create(values)
            if attachment._whatsapp_holds(content):
                return attachment
            self._whatsapp_remove_broken(content)
        except OSError as error:  # its text names the path
            raise StoreFailed(error.strerror or type(error).__name__) from error
        raise StoreFailed(f"{len(content)} bytes were not written")

    def _whatsapp_holds(self, content):
        """Tell whether the store has exactly this content."""
        if not self.store_fname:
            return True  # in the database, with everything else
        path = self._full_path(self.store_fname)
        if os.path.isfile(path):
            return self._same_content(content, path)
        return self._file_read(self.store_fname) == content  # a store elsewhere

    @api.model
    def _whatsapp_remove_broken(self, content):
        """Remove a file that bears the name of this content, and has other bytes."""
        name = self._compute_checksum(content)
        path = self._full_path(f"{name[:2]}/{name}")
        if not os.path.isfile(path) or self._same_content(content, path):
            return
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha1").hexdigest() == name:
                return  # another file with the same checksum, which Odoo refuses
        _logger.warning("removed a file of the store that was not written whole")
        os.unlink(path)

    # ------------------------------------------------------------- headers

    def _whatsapp_for_message(self, channel):
        """Return this file as one of a message in a conversation.

        What was uploaded or printed for the message becomes its own; of what belongs to
        something else it gets a copy, which stays as it is.

        :param channel: ``discuss.channel``
        """
        self.ensure_one()
        mine = {"res_model": channel._name, "res_id": channel.id}
        # sudo: ir.attachment - who may read a file may send it
        file_sudo = self.sudo()
        holder = self.env.get(file_sudo.res_model or "")
        is_for_sending = holder is not None and holder._transient
        is_own = file_sudo.create_uid.id == self.env.uid
        if is_for_sending and is_own and not file_sudo.res_id:
            file_sudo.write(mine)
            return self
        copied = file_sudo.create(
            {
                **mine,
                "name": self.name,
                "mimetype": self.mimetype,
                "raw": file_sudo.raw,
            }
        )
        return copied.with_env(self.env)

    # ------------------------------------------------------------- voice notes

    def _whatsapp_make_voice(self):
        """Make of what was recorded in Odoo what WhatsApp shows as a voice note."""
        for recording in self.filtered(lambda one: one._whatsapp_is_recorded()):
            if recording.mimetype == voices.OPUS:
                continue
            content = voices.to_opus(recording.raw)
            if content:
                recording.write(
                    {
                        "raw": content,
                        "mimetype": voices.OPUS,
                        "name": f"{Path(recording.name).stem}.ogg",
                    }
                )

    def _whatsapp_is_voice(self):
        """Tell whether WhatsApp would show this file as a voice note."""
        return self.mimetype == voices.OPUS and self._whatsapp_is_recorded()

    def _whatsapp_is_recorded(self):
        # sudo: discuss.voice.metadata - of a file that its user may send
        return bool(self.sudo().voice_ids)
