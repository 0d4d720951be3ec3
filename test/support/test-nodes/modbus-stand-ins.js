// Nodes of the tests only. They have the type names, settings and messages of node-red-contrib-modbus 5.60, which cannot be a
// dependency here, over the same kind of client: so a generated flow is deployed as it is.
const { default: ModbusRTU } = require('modbus-serial');

module.exports = (RED) => {
  RED.nodes.registerType('modbus-client', function (def) {
    RED.nodes.createNode(this, def);
    let client;
    let retry;
    let closed = false;
    let turn = Promise.resolve();
    const queued = new Map();

    const connect = () => {
      const fresh = new ModbusRTU();
      // It is there only once it is connected, which is what the flex nodes ask.
      fresh
        .connectTCP(def.tcpHost, { port: Number(def.tcpPort) })
        .then(() => {
          if (closed) return fresh.close(() => undefined);
          fresh.setTimeout(Number(def.clientTimeout));
          client = fresh;
          RED.events.emit('test-modbus:connected', this.id);
        })
        .catch(again);
      fresh.on('error', () => undefined);
    };
    const again = () => {
      if (client?.isOpen) client.close(() => undefined);
      client = undefined;
      clearTimeout(retry);
      if (!closed) retry = setTimeout(connect, Number(def.reconnectTimeout));
    };

    this.isActive = () => client !== undefined;
    /** One request after the other, at most 100 waiting for each unit. */
    this.request = (payload) => {
      const waiting = queued.get(payload.unitid) ?? 0;
      if (waiting >= (def.maxQueueDepth ?? 100)) {
        return Promise.reject(new Error(`Queue full for UnitId ${payload.unitid} (max 100)`));
      }
      queued.set(payload.unitid, waiting + 1);
      const answer = turn.then(async () => {
        queued.set(payload.unitid, queued.get(payload.unitid) - 1);
        if (client === undefined) throw new Error('Modbus queue cleared on reconnect');
        RED.events.emit('test-modbus:request', this.id, payload);
        try {
          return await ask(client, payload);
        } catch (error) {
          // A refusal is an answer; anything else costs the connection.
          if (error.modbusCode === undefined) again();
          throw error;
        }
      });
      turn = answer.catch(() => undefined);
      return answer;
    };
    this.on('close', (done) => {
      closed = true;
      clearTimeout(retry);
      if (client?.isOpen) client.close(() => done());
      else done();
    });
    connect();
  });

  function ask(client, { fc, unitid, address, quantity, value }) {
    client.setID(unitid);
    switch (fc) {
      case 1:
        return client.readCoils(address, quantity);
      case 2:
        return client.readDiscreteInputs(address, quantity);
      case 3:
        return client.readHoldingRegisters(address, quantity);
      case 4:
        return client.readInputRegisters(address, quantity);
      case 5:
        return client.writeCoil(address, value);
      case 6:
        return client.writeRegister(address, value);
      case 15:
        return client.writeCoils(address, value);
      default:
        return client.writeRegisters(address, value);
    }
  }

  for (const type of ['modbus-flex-getter', 'modbus-flex-write']) {
    const isGetter = type === 'modbus-flex-getter';
    RED.nodes.registerType(type, function (def) {
      RED.nodes.createNode(this, def);
      const server = RED.nodes.getNode(def.server);
      this.on('input', (msg, send, done) => {
        const fail = (error) => {
          if (def.emptyMsgOnFail) {
            // Of a failed write only the topic comes back, of a failed read everything.
            const known = def.keepMsgProperties && isGetter ? msg : { topic: msg.topic };
            const empty = { ...known, payload: '', error };
            send([empty, empty]);
          }
          done();
        };
        if (!server?.isActive()) {
          // Here it is the message that came, not a copy of it, that goes on.
          Object.assign(msg, { payload: '', error: new Error('Inject while node is not ready for input.') });
          if (def.emptyMsgOnFail) send([msg, msg]);
          return done();
        }
        server
          .request({ ...msg.payload })
          .then((response) => {
            const kept = def.keepMsgProperties ? msg : { topic: msg.topic };
            const payload = isGetter ? response.data : { ...msg.payload };
            send([
              { ...kept, payload, responseBuffer: response },
              { ...kept, payload: response },
            ]);
            done();
          })
          .catch(fail);
      });
    });
  }
};
