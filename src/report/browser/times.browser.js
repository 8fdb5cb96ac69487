// For both pages: times as the reader's clock has them. A page may have been written in another zone, in a container for example.
window.localTimes = () => {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const minutes = -at.getTimezoneOffset();
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    const zone = `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
    const text = `${day} ${clock} ${zone}`;
    if (time.textContent !== text) time.textContent = text;
  }
};
window.localTimes();
