-- A copy of a database must neither write to customers nor answer in Meta's name.

-- No number of the copy is connected, until an administrator does so on purpose.
UPDATE mail_gateway
   SET token = 'neutralized-' || id,
       webhook_key = NULL,
       webhook_secret = NULL,
       whatsapp_security_key = NULL,
       integrated_webhook_state = NULL,
       whatsapp_copy_connected = NULL,
       whatsapp_pause_reason = 'This database is a neutralized copy.',
       whatsapp_probe_at = NULL
 WHERE gateway_type = 'whatsapp';

-- What was about to leave belongs to the original.
UPDATE mail_notification
   SET notification_status = 'canceled'
 WHERE notification_status IN ('ready', 'process')
   AND id IN (SELECT notification_id
                FROM whatsapp_message_queue
               WHERE state IN ('queued', 'sending'));
UPDATE whatsapp_message_queue
   SET state = 'canceled', next_attempt_at = NULL
 WHERE state IN ('queued', 'sending');

-- So does what Meta delivered and nobody has worked on yet.
UPDATE whatsapp_webhook_event
   SET state = 'ignored', next_attempt_at = NULL, error = 'This database is a neutralized copy.'
 WHERE state = 'pending';

-- What was tested there says nothing of the copy, which is off on purpose.
UPDATE whatsapp_gateway_check
   SET outcome = 'untested', state = 'unknown', values = NULL,
       checked_at = NULL, missed_at = NULL, known_state = NULL, alerted_from = NULL;
INSERT INTO whatsapp_gateway_check
            (gateway_id, kind, step, sequence, outcome, state)
SELECT gateway.id, 'copy', 'first', 0, 'copied', 'warning'
  FROM mail_gateway gateway
 WHERE gateway.gateway_type = 'whatsapp'
   AND NOT EXISTS (SELECT FROM whatsapp_gateway_check known
                    WHERE known.gateway_id = gateway.id AND known.kind = 'copy');
